"""A real RTSP camera for tests, run by the system's Python: ``/usr/bin/python3 rtsp_server.py SPEC.json``.

SPEC: {"port": 0, "user"?, "password"?, "mounts": {"/path": {"fps", "width", "height", "codec", "frames", "hold"}}}.
Each of ``frames`` is a file of raw RGB, width × height × 3 bytes, shown ``hold`` pictures long; after the last one
the first comes again. Prints ``port N`` when it listens. GStreamer's own server and encoders: no line of it is shared
with what is tested.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

_ENCODE = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 threads=1 ! rtph264pay name=pay0 pt=96 "
    "config-interval=1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! rtph265pay name=pay0 pt=96 "
    "config-interval=1",
    "jpeg": "jpegenc quality=92 ! rtpjpegpay name=pay0 pt=26",
}

_RANGE = {"h264": "", "h265": "", "jpeg": ",colorimetry=1:4:0:0"}  # JPEG has the full range of luma (JFIF 1.02)


class Mount(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]  # the system's library has no types
    """One path: its frames in a circle."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self.spec = spec
        self.frames = [Path(name).read_bytes() for name in spec["frames"]]
        self.set_shared(True)

    def do_create_element(self, url: Any) -> Any:
        s = self.spec
        caps = f"video/x-raw,format=RGB,width={s['width']},height={s['height']},framerate={s['fps']}/1"
        return Gst.parse_launch(
            f"appsrc name=src is-live=true block=true format=time caps={caps} ! videoconvert ! "
            f"video/x-raw,format=I420{_RANGE[s['codec']]} ! {_ENCODE[s['codec']]}"
        )

    def do_configure(self, media: Any) -> None:
        count = [0]

        def need(source: Any, _length: int) -> None:
            n = count[0]
            count[0] += 1
            frame = self.frames[(n // self.spec.get("hold", 1)) % len(self.frames)]
            buffer = Gst.Buffer.new_wrapped(frame)
            buffer.duration = Gst.SECOND // self.spec["fps"]
            buffer.pts = n * buffer.duration
            source.emit("push-buffer", buffer)

        media.get_element().get_by_name("src").connect("need-data", need)


def protect(server: Any, user: str, password: str) -> None:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(spec.get("port", 0)))
    for path, mount in spec["mounts"].items():
        factory = Mount(mount)
        if "user" in spec:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("user", "media.factory.access", True)
            permissions.add_permission_for_role("user", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    if "user" in spec:
        protect(server, spec["user"], spec["password"])
    server.attach(None)
    print("port", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
