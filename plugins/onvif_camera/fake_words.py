"""What the fake device says: SOAP 1.2 bodies of ONVIF Core, Media, PTZ and Events, as short as devices write them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageDraw

SPACES = " ".join(
    f'xmlns:{name}="{address}"'
    for name, address in {
        "s": "http://www.w3.org/2003/05/soap-envelope", "tt": "http://www.onvif.org/ver10/schema",
        "tds": "http://www.onvif.org/ver10/device/wsdl", "trt": "http://www.onvif.org/ver10/media/wsdl",
        "tptz": "http://www.onvif.org/ver20/ptz/wsdl", "tev": "http://www.onvif.org/ver10/events/wsdl",
        "wsnt": "http://docs.oasis-open.org/wsn/b-2", "wsa": "http://www.w3.org/2005/08/addressing",
        "ter": "http://www.onvif.org/ver10/error", "tns1": "http://www.onvif.org/ver10/topics",
    }.items()
)  # fmt: skip
SERVICES = {
    "device": "http://www.onvif.org/ver10/device/wsdl", "media": "http://www.onvif.org/ver10/media/wsdl",
    "ptz": "http://www.onvif.org/ver20/ptz/wsdl", "events": "http://www.onvif.org/ver10/events/wsdl",
}  # fmt: skip
PROFILES = {
    "main": ("H264", 1920, 1080), "sub": ("H264", 640, 360), "third": ("JPEG", 320, 180),
}  # fmt: skip


def envelope(body: str) -> bytes:
    """A whole answer."""
    return f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {SPACES}><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault(code: str, words: str) -> bytes:
    """A refusal (SOAP 1.2, 5.4)."""
    return envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{escape(words)}</s:Text></s:Reason></s:Fault>'
    )


def stamp(at: float) -> str:
    """xsd:dateTime."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def system_time(at: float) -> str:
    """GetSystemDateAndTimeResponse."""
    now = datetime.fromtimestamp(at, UTC)
    clock = f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"  # noqa: E501
    day = f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
        f"<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>{clock}{day}</tt:UTCDateTime>"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def services(base: str, names: tuple[str, ...]) -> str:
    """GetServicesResponse."""
    each = "".join(
        f"<tds:Service><tds:Namespace>{SERVICES[name]}</tds:Namespace><tds:XAddr>{base}/onvif/{name}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for name in names
    )
    return f"<tds:GetServicesResponse>{each}</tds:GetServicesResponse>"


def information(model: str) -> str:
    """GetDeviceInformationResponse."""
    return (
        "<tds:GetDeviceInformationResponse><tds:Manufacturer>Loopback</tds:Manufacturer>"
        f"<tds:Model>{escape(model)}</tds:Model><tds:FirmwareVersion>1.2.3</tds:FirmwareVersion>"
        "<tds:SerialNumber>000001</tds:SerialNumber><tds:HardwareId>fake</tds:HardwareId>"
        "</tds:GetDeviceInformationResponse>"
    )


def profiles(known: dict[str, tuple[str, int, int]]) -> str:
    """GetProfilesResponse."""
    each = "".join(
        f'<trt:Profiles token={quoteattr(token)} fixed="true"><tt:Name>{escape(token)}</tt:Name>'
        f'<tt:VideoEncoderConfiguration token="enc_{token}"><tt:Name>{token}</tt:Name><tt:UseCount>1</tt:UseCount>'
        f"<tt:Encoding>{kind}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height>"
        "</tt:Resolution><tt:Quality>5</tt:Quality></tt:VideoEncoderConfiguration></trt:Profiles>"
        for token, (kind, width, height) in known.items()
    )
    return f"<trt:GetProfilesResponse>{each}</trt:GetProfilesResponse>"


def uri(kind: str, address: str) -> str:
    """GetStreamUriResponse, GetSnapshotUriResponse."""
    return (
        f"<trt:{kind}Response><trt:MediaUri><tt:Uri>{escape(address)}</tt:Uri><tt:InvalidAfterConnect>false"
        "</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout>"
        f"</trt:MediaUri></trt:{kind}Response>"
    )


def presets(known: dict[str, str]) -> str:
    """GetPresetsResponse."""
    each = "".join(
        f'<tptz:Preset token="{token}"><tt:Name>{escape(name)}</tt:Name></tptz:Preset>' for token, name in known.items()
    )
    return f"<tptz:GetPresetsResponse>{each}</tptz:GetPresetsResponse>"


def subscribed(address: str, now: float, until: float) -> str:
    """CreatePullPointSubscriptionResponse."""
    return (
        f"<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>{address}</wsa:Address>"
        f"</tev:SubscriptionReference><wsnt:CurrentTime>{stamp(now)}</wsnt:CurrentTime><wsnt:TerminationTime>"
        f"{stamp(until)}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>"
    )


def renewed(now: float, until: float) -> str:
    """RenewResponse."""
    return (
        f"<wsnt:RenewResponse><wsnt:TerminationTime>{stamp(until)}</wsnt:TerminationTime><wsnt:CurrentTime>{stamp(now)}"
        "</wsnt:CurrentTime></wsnt:RenewResponse>"
    )


def pulled(messages: list[str], now: float, until: float) -> str:
    """PullMessagesResponse."""
    return (
        f"<tev:PullMessagesResponse><tev:CurrentTime>{stamp(now)}</tev:CurrentTime><tev:TerminationTime>{stamp(until)}"
        f"</tev:TerminationTime>{''.join(messages)}</tev:PullMessagesResponse>"
    )


def message(topic: str, source: tuple[str, str], data: tuple[str, str], at: float, operation: str = "Changed") -> str:
    """A NotificationMessage."""
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f'{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{stamp(at)}" PropertyOperation="{operation}">'
        f'<tt:Source><tt:SimpleItem Name="{source[0]}" Value={quoteattr(source[1])}/></tt:Source>'
        f'<tt:Data><tt:SimpleItem Name="{data[0]}" Value={quoteattr(data[1])}/></tt:Data></tt:Message></wsnt:Message>'
        "</wsnt:NotificationMessage>"
    )


def found(message_id: str, address: str) -> bytes:
    """A ProbeMatch (WS-Discovery 5.3)."""
    space = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {SPACES} xmlns:d="{space}" '
        f'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><w:RelatesTo>{escape(message_id)}'
        f"</w:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types>"
        "<d:Scopes>onvif://www.onvif.org/name/Market%20gate onvif://www.onvif.org/hardware/fake "
        f"onvif://www.onvif.org/location/Sukhothai</d:Scopes><d:XAddrs>{address}</d:XAddrs></d:ProbeMatch>"
        "</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


def picture(number: int, pan: float = 0.0, width: int = 640, height: int = 360) -> bytes:
    """A street as JPEG: the houses stand where the camera looks, somebody walks by picture after picture."""
    drawn = Image.new("RGB", (width, height), (42, 52, 66))
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((0, height * 2 // 3, width, height), fill=(70, 72, 76))
    for house in range(-2, 5):
        left = int(house * 180 - pan * 120)
        pen.rectangle((left, 90, left + 130, height * 2 // 3), fill=(120 + house * 12, 96, 80))
        pen.rectangle((left + 45, 150, left + 85, height * 2 // 3), fill=(60, 48, 40))
    walker = number * 24 % (width + 40) - 20
    pen.ellipse((walker, 200, walker + 22, 222), fill=(224, 188, 150))
    pen.rectangle((walker - 2, 222, walker + 24, 290), fill=(210, 60, 60))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=80)
    return out.getvalue()
