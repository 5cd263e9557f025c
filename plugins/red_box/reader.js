// Reads QR codes of a video: with the phone's own BarcodeDetector, else with zxing-wasm, which the hub serves itself.
'use strict';
globalThis.qrReader = async () => {
  if ('BarcodeDetector' in globalThis) {
    const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (known.includes('qr_code')) {
      const detector = new BarcodeDetector({ formats: ['qr_code'] });
      return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
    }
  }
  await new Promise((done, failed) => {
    if (globalThis.ZXingWASM) { done(); return; }
    const script = document.createElement('script');
    script.src = '/vendor/zxing_reader.js';
    script.onload = done;
    script.onerror = () => failed(new Error('the reader of QR codes is not there'));
    document.head.append(script);
  });
  await ZXingWASM.prepareZXingModule({
    overrides: { locateFile: (path) => `/vendor/${path}` }, fireImmediately: true,
  });
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, 960 / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (!canvas.width) return null;
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
    const found = await ZXingWASM.readBarcodes(picture, { formats: ['QRCode'], maxNumberOfSymbols: 1 });
    return found[0]?.text || null;
  };
};
