"""The vocabulary: what entities can do and the events they bring. No behaviour.

``CAPABILITIES`` and ``EVENT_TYPES`` are written out, not collected by import, so that this page is the whole list.
"""

from __future__ import annotations

from hub.capabilities.call import (
    Call,
    CallAnswered,
    CallEnded,
    CallLinkChanged,
    CallLocated,
    CallRecorded,
    CallStarted,
    CallTransferred,
    CallUnanswered,
    RecordingFailed,
)
from hub.capabilities.camera import (
    Camera,
    ClipSaved,
    MotionEnded,
    MotionStarted,
    PlateGuess,
    PlateRead,
    PlateReader,
    VideoChanged,
)
from hub.capabilities.checkpoint import (
    Checkpoint,
    CheckpointCoverage,
    CheckpointLog,
    CheckpointMissed,
    CheckpointScanned,
    Doubt,
    PatrolLogImported,
)
from hub.capabilities.community import Meeting, Promise, RiskSpot
from hub.capabilities.drone import Drone, DroneArrived, DroneDispatched, DroneRefused, DroneTelemetry
from hub.capabilities.duty import (
    DutyChanged,
    DutyFilled,
    DutyShort,
    OfficerListed,
    Roster,
    Shift,
    ShiftEnded,
    ShiftHandedOver,
    ShiftHandoverSigned,
    ShiftPlanned,
    ShiftStarted,
    SoundTestDone,
    SoundTestOverdue,
)
from hub.capabilities.incident import (
    Alarm,
    AlarmAcknowledged,
    AlarmCleared,
    AlarmRaised,
    AlarmReturned,
    AlarmShelved,
    Incident,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentAttached,
    IncidentClosed,
    IncidentNoted,
    IncidentOpened,
    Priority,
)
from hub.capabilities.light import (
    Light,
    LightBoosted,
    LightCommanded,
    LightFault,
    LightFaultCleared,
    LightOverridden,
    LightReported,
    LightScheduled,
)
from hub.capabilities.lookup import LookedUp
from hub.capabilities.message import MessageReceived, MessageSent
from hub.capabilities.mqtt import Mqtt, MqttMessage, MqttSubscription, Receive
from hub.capabilities.notice import (
    Notice,
    NoticeApproved,
    NoticeDelivered,
    NoticeDrafted,
    NoticeExpired,
    NoticeRejected,
    NoticeWithdrawn,
)
from hub.capabilities.ptz import CameraTampered, DigitalInputChanged, Ptz, PtzLocked
from hub.capabilities.radio import (
    Radio,
    RadioAlarm,
    RadioAnnounced,
    RadioChannelChanged,
    RadioTalkEnded,
    RadioTalkStarted,
    RadioTextReceived,
    RadioTextSent,
)
from hub.capabilities.report import (
    Report,
    ReportAdded,
    ReportAnswered,
    ReportConversation,
    ReportFiled,
    ReportMerged,
    ReportReceived,
    ReportsRepeated,
    ReportStatus,
    ReportStatusChanged,
)
from hub.capabilities.share import ShareChanged
from hub.capabilities.unit import (
    PhoneKeys,
    SosCleared,
    SosRaised,
    Track,
    TrackSeen,
    Unit,
    UnitAlerted,
    UnitMoved,
    UnitStatusChanged,
    UnitTaskSeen,
    UnitTimerSet,
)
from hub.capabilities.watchlist import Hit, WatchlistHit, WatchlistReviewed
from hub.core.action import ActionSpec, actions_of
from hub.core.event import EventType

CAPABILITIES: dict[str, type] = {
    "alarm": Alarm,
    "call": Call,
    "camera": Camera,
    "checkpoint": Checkpoint,
    "drone": Drone,
    "hit": Hit,
    "incident": Incident,
    "light": Light,
    "meeting": Meeting,
    "notice": Notice,
    "plate_reader": PlateReader,
    "promise": Promise,
    "ptz": Ptz,
    "radio": Radio,
    "report": Report,
    "risk_spot": RiskSpot,
    "shift": Shift,
    "track": Track,
    "unit": Unit,
}

EVENT_TYPES: tuple[EventType, ...] = tuple(
    data.type
    for data in (
        AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmReturned, AlarmShelved, CallAnswered, CallEnded,
        CallLinkChanged, CallLocated, CallRecorded, CallStarted, CallTransferred, CallUnanswered, CameraTampered,
        CheckpointCoverage, CheckpointMissed, CheckpointScanned, ClipSaved, DigitalInputChanged, DroneArrived,
        DroneDispatched, DroneRefused, DroneTelemetry, DutyChanged, DutyFilled, DutyShort, IncidentAcknowledged,
        IncidentAssigned, IncidentAttached, IncidentClosed, IncidentNoted, IncidentOpened, LightBoosted,
        LightCommanded, LightFault, LightFaultCleared, LightOverridden, LightReported, LightScheduled, LookedUp,
        MessageReceived, MessageSent, MotionEnded, MotionStarted, NoticeApproved, NoticeDelivered, NoticeDrafted,
        NoticeExpired, NoticeRejected, NoticeWithdrawn, OfficerListed, PatrolLogImported, PlateRead, PtzLocked,
        RadioAlarm, RadioAnnounced, RadioChannelChanged, RadioTalkEnded, RadioTalkStarted, RadioTextReceived,
        RadioTextSent, RecordingFailed, ReportAdded, ReportAnswered, ReportConversation, ReportFiled, ReportMerged,
        ReportReceived, ReportStatusChanged, ReportsRepeated, ShareChanged, ShiftEnded, ShiftHandedOver,
        ShiftHandoverSigned, ShiftPlanned, ShiftStarted, SosCleared, SosRaised, SoundTestDone, SoundTestOverdue,
        TrackSeen, UnitAlerted, UnitMoved, UnitStatusChanged, UnitTaskSeen, UnitTimerSet, VideoChanged, WatchlistHit,
        WatchlistReviewed,
    )
)  # fmt: skip


def capability_actions() -> dict[str, ActionSpec]:
    """The actions of all capabilities, by full name."""
    return {name: spec for domain, kind in CAPABILITIES.items() for name, spec in actions_of(kind, domain).items()}


__all__ = [
    "CAPABILITIES", "EVENT_TYPES", "Alarm", "AlarmAcknowledged", "AlarmCleared", "AlarmRaised", "AlarmReturned",
    "AlarmShelved", "Call", "CallAnswered", "CallEnded", "CallLinkChanged", "CallLocated", "CallRecorded",
    "CallStarted", "CallTransferred", "CallUnanswered", "Camera", "CameraTampered", "Checkpoint",
    "CheckpointCoverage", "CheckpointLog", "CheckpointMissed", "CheckpointScanned", "ClipSaved",
    "DigitalInputChanged", "Doubt", "Drone", "DroneArrived", "DroneDispatched", "DroneRefused", "DroneTelemetry",
    "DutyChanged", "DutyFilled", "DutyShort", "Hit", "Incident", "IncidentAcknowledged", "IncidentAssigned",
    "IncidentAttached", "IncidentClosed", "IncidentNoted", "IncidentOpened", "Light", "LightBoosted",
    "LightCommanded", "LightFault", "LightFaultCleared", "LightOverridden", "LightReported", "LightScheduled",
    "LookedUp", "Meeting", "MessageReceived", "MessageSent", "MotionEnded", "MotionStarted", "Mqtt", "MqttMessage",
    "MqttSubscription", "Notice", "NoticeApproved", "NoticeDelivered", "NoticeDrafted", "NoticeExpired",
    "NoticeRejected", "NoticeWithdrawn", "OfficerListed", "PatrolLogImported", "PhoneKeys", "PlateGuess",
    "PlateRead", "PlateReader", "Priority", "Promise", "Ptz", "PtzLocked", "Radio", "RadioAlarm", "RadioAnnounced",
    "RadioChannelChanged", "RadioTalkEnded", "RadioTalkStarted", "RadioTextReceived", "RadioTextSent", "Receive",
    "RecordingFailed", "Report", "ReportAdded", "ReportAnswered", "ReportConversation", "ReportFiled",
    "ReportMerged", "ReportReceived", "ReportStatus", "ReportStatusChanged", "ReportsRepeated", "RiskSpot",
    "Roster", "ShareChanged", "Shift", "ShiftEnded", "ShiftHandedOver", "ShiftHandoverSigned", "ShiftPlanned",
    "ShiftStarted", "SosCleared", "SosRaised", "SoundTestDone", "SoundTestOverdue", "Track", "TrackSeen", "Unit",
    "UnitAlerted", "UnitMoved", "UnitStatusChanged", "UnitTaskSeen", "UnitTimerSet", "VideoChanged", "WatchlistHit",
    "WatchlistReviewed", "capability_actions",
]  # fmt: skip
