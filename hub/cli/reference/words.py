"""Words for fields of the hub's own files, which explain themselves in code but not in a schema.

A test holds this list equal to the fields that exist.
"""

from __future__ import annotations

from typing import Final

TOP: Final = {
    "zone": "the safety zone: its name, border, areas and places",
    "web": "where the hub listens",
    "upkeep": "what the hub does by itself every night, and whom to call when it cannot",
    "children": "limits of plugins that run in a process of their own",
    "plugin_folders": "folders with plugins that did not come with the hub; default: `plugins` beside the file",
    "plugins": "the plugin instances: a list, or `!include_dir_list FOLDER` with one file each; "
               "files in `config.d` beside the file are instances too",
    "automations": "the automations: a list, or `!include_dir_list FOLDER`",
}  # fmt: skip

ENTRY: Final = {
    "plugin": "which plugin",
    "name": "name of the instance, if the plugin is used more than once; default: the plugin's name",
    "enabled": "`false` keeps the entry and does not start it",
    "memory_mb": "most memory of its own process, instead of `children.memory_mb`",
    "silent_after_s": "seconds without a sign of life after which it is reported as silent; default: the plugin's own",
    "config": "the plugin's settings, see below",
}  # fmt: skip

SETTINGS: Final = {
    "Zone.name": "its name: one text, or `th` and `en`",
    "Zone.timezone": "IANA time zone for automations and screens",
    "Zone.center": "middle of the map: latitude, longitude in degrees (WGS 84)",
    "Zone.border": "its border: points of latitude, longitude, or a GeoJSON polygon by `!include`",
    "Zone.areas": "communities and other parts of the zone",
    "Zone.places": "shops, schools, banks on the map",
    "Zone.attribution": "whose data the map shows, as its licence asks; written on the map",
    "Zone.simulated": "nothing here is real: the screens say จำลอง, and the demo login exists on loopback",
    "Words.th": "Thai",
    "Words.en": "English",
    "Area.id": "small letters, digits and _",
    "Area.name": "its name",
    "Area.polygon": "its border, as for the zone",
    "Area.residents": "how many people live there",
    "Place.id": "small letters, digits and _",
    "Place.kind": "`gold_shop`, `school`, `bank`, `market`, `hotel`, `temple` …: chooses the sign on the map",
    "Place.name": "its name",
    "Place.position": "latitude, longitude in degrees (WGS 84)",
    "Place.simulated": "shown as จำลอง",
    "Web.host": "address of the staff listener; the station's network, or loopback",
    "Web.port": "its port; 0 takes a free one",
    "Web.public": "a second listener for phones, webhooks and citizens' pages only",
    "Web.tls": "a certificate, or `auto`: none on loopback, elsewhere one that the hub signs itself",
    "Listener.host": "its address",
    "Listener.port": "its port",
    "Tls.cert": "PEM file with the certificate chain",
    "Tls.key": "PEM file with its key",
    "Children.memory_mb": "most memory of one child process; one that uses more is ended and started anew",
    "Listener.url": "the address under which phones reach it, where that is another: a reverse proxy's",
    "Web.proxies": "reverse proxies whose word about the sender's address is believed",
    "Upkeep.retention": "days by class, where the station decided on others than the hub's own",
    "Upkeep.at": "hour and minute of the nightly round, the zone's time",
    "Upkeep.clock": "alarm when no service keeps the machine's clock right",
    "Upkeep.contacts": "who is called when nothing else works; `hub contacts` prints them",
    "Contact.name": "who it is",
    "Contact.phone": "telephone number",
    "Contact.radio": "radio channel",
    "Contact.note": "what else to know",
    "Children.nice": "how far children step back for the hub (nice value)",
    "Children.user": "the account they run as, where the hub runs as root",
}  # fmt: skip

MANIFEST: Final = {
    "Manifest.name": "the plugin's name and its folder's",
    "Manifest.title": "what the screens call it",
    "Manifest.description": "what it does, in one sentence",
    "Manifest.api": "the plugin API it was written for",
    "Manifest.version": "its own version",
    "Manifest.page_permissions": "what the plugin's own public pages may ask their reader's browser for; without an "
                                 "entry the browser refuses all three. Needs HTTPS off loopback, and "
                                 "`WebResponse(scripts=True)`",
    "Manifest.public_body_mib": "the largest body (MiB) of a request to its public addresses",
    "Manifest.isolation": "`child`: a process of its own, for heavy libraries. Plugins that did not come with the hub "
                          "always have one",
    "Manifest.silent_after_s": "seconds without a sign of life (an emit, or `ctx.alive()`) after which the hub says "
                               "that the instance is silent",
    "Manifest.exclusive": "the old instance must stop before a new one starts: it holds a port or a device",
    "Manifest.quality": "1 the contract passes; 2 README and fake; 3 discovery and diagnostics; 4 strict types and a "
                        "soak test",
    "Manifest.section": "where its pages stand in the menu; by the domains of its views when it does not say",
    "Manifest.requires": "Python distributions that its own environment (`.venv` in its folder) needs",
    "Manifest.debian": "Debian packages with programs it needs",
    "Manifest.emits": "event types it may emit; others are refused",
    "Manifest.calls": "actions it may call; `incident.*` stands for all of a domain",
    "Manifest.reads": "kinds of personal data it sees unmasked",
    "Manifest.roles": "roles it acts with when it calls",
    "Manifest.event_types": "its own event types, see below",
    "Manifest.actions": "its own actions",
    "Manifest.views": "its cards and pages",
    "ActionTable.name": "`domain.verb`",
    "ActionTable.title": "what the button says",
    "ActionTable.right": "the right that a caller needs",
    "ActionTable.idempotent": "doing it twice is doing it once: it may be sent again after a crash",
    "ActionTable.dangerous": "a person confirms each call within 60 s",
    "ActionTable.private": "neither parameters nor answer are written down anywhere; that it was done, and by whom, is",
    "ActionTable.timeout_s": "seconds until it counts as failed",
    "View.id": "its name within the plugin",
    "View.kind": "what it looks like",
    "View.title": "its heading",
    "View.domain": "table, map, picture, video, actions: the entities of this domain",
    "View.event_type": "timeline, chart: the events of this type",
    "View.action": "form: the action whose parameters it asks for",
    "View.path": "link: a staff route of the instance, without its beginning `/plugin/INSTANCE/`",
    "View.columns": "table: its columns; chart: numeric fields, instead of how many events there were",
    "View.actions": "table, actions: the actions offered on each row, as full names; without it all that the entity "
                    "has, `[]` none",
    "View.empty": "what it says when there is nothing to show",
    "View.right": "who does not have it does not see the view",
    "Column.field": "an attribute of the entity, or `state`, `name`, `updated`",
    "Column.title": "its heading",
    "Column.format": "how the value is written",
    "Words.th": "Thai",
    "Words.en": "English",
}  # fmt: skip

EVENT_TABLE: Final = {
    "name": "the type's name",
    "title": "`{ th, en }`",
    "fields": "a table: field → `{ type, doc, required, default, personal }`; type is one of str, int, float, bool, "
              "list, map, json (any JSON value), time, media; personal is one of plate, face, phone, position, voice, "
              "name, text",
    "lane": "`emergency`, `normal` (default) or `telemetry` (only the newest is kept while the hub is busy)",
    "retention": "the retention class (default `operational`), see [events](events.md)",
    "version": "grows when fields change (default 1)",
    "projection": "how it changes its entity's state: `state` (a constant), `state_from` (a field), `attributes` "
                  "(attribute → field), `merge_from` (a map field), `remove`",
}  # fmt: skip
