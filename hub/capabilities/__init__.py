"""The vocabulary: what entities can do and the events they bring. No behaviour.

The imports are the whole list; a module of this folder that they do not name does not exist for plugins.
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
    LineCrossed,
    Loitering,
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
from hub.capabilities.helper import (
    Counter,
    HelperChanged,
    InputBoolean,
    InputDatetime,
    InputNumber,
    InputSelect,
    InputText,
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
from hub.capabilities.timer import (
    Timer,
    TimerCancelled,
    TimerChanged,
    TimerEvent,
    TimerFinished,
    TimerPaused,
    TimerRestarted,
    TimerStarted,
)
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
from hub.core.event import EventData, EventType

CAPABILITIES: dict[str, type] = {
    "alarm": Alarm,
    "call": Call,
    "camera": Camera,
    "checkpoint": Checkpoint,
    "counter": Counter,
    "drone": Drone,
    "hit": Hit,
    "incident": Incident,
    "input_boolean": InputBoolean,
    "input_datetime": InputDatetime,
    "input_number": InputNumber,
    "input_select": InputSelect,
    "input_text": InputText,
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
    "timer": Timer,
    "track": Track,
    "unit": Unit,
}

# every class imported above that is the data of an event
EVENT_TYPES: tuple[EventType, ...] = tuple(
    sorted(
        (named.type for named in list(globals().values())
         if isinstance(named, type) and issubclass(named, EventData) and "type" in vars(named)),
        key=lambda kind: kind.name,
    )
)  # fmt: skip


def capability_actions() -> dict[str, ActionSpec]:
    """The actions of all capabilities, by full name."""
    return {name: spec for domain, kind in CAPABILITIES.items() for name, spec in actions_of(kind, domain).items()}
