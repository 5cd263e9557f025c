/** The language's own words: which keys stand where, and what each means. The kinds are those of the hub; a test
 * compares them. */

import type { Words } from '../api';

const w = (th: string, en: string): Words => ({ th, en });

export const KEYS: Record<string, Words> = {
  id: w('ชื่อประจำกฎ ห้ามซ้ำ', 'name of the rule, unique'),
  alias: w('ชื่อที่คนอ่าน', 'name for people'),
  description: w('คำอธิบาย', 'description'),
  triggers: w('เมื่อไร', 'when'),
  conditions: w('ถ้า', 'if'),
  actions: w('ทำอะไร', 'do'),
  mode: w('ถ้ารอบก่อนยังไม่จบ', 'when the run before is not over'),
  max: w('พร้อมกันได้กี่รอบ', 'how many runs at once'),
  variables: w('ตัวแปร', 'variables'),
  trigger_variables: w('ตัวแปรของตัวกระตุ้น', 'variables for triggers'),
  initial_state: w('เปิดใช้ตั้งแต่แรกหรือไม่', 'on at first'),
  use_blueprint: w('ใช้แม่แบบ', 'use a blueprint'),
  on_restart: w('เมื่อระบบเริ่มใหม่ระหว่างรอ', 'after a restart while waiting'),
  trigger: w('ชนิดตัวกระตุ้น', 'kind of trigger'),
  condition: w('ชนิดเงื่อนไข', 'kind of condition'),
  action: w('คำสั่ง', 'action'),
  target: w('ทำกับอะไร', 'on what'),
  data: w('รายละเอียดคำสั่ง', 'its fields'),
  entity_id: w('สิ่งที่เกี่ยวข้อง', 'entity'),
  area_id: w('พื้นที่', 'area'),
  event_type: w('ชนิดเหตุการณ์', 'type of event'),
  event_data: w('เฉพาะที่มีค่านี้', 'only with these values'),
  event: w('เหตุการณ์', 'event'),
  from: w('จากสถานะ', 'from the state'),
  to: w('เป็นสถานะ', 'to the state'),
  not_from: w('ไม่ใช่จาก', 'not from'),
  not_to: w('ไม่ใช่เป็น', 'not to'),
  for: w('นานเท่าไร', 'for how long'),
  attribute: w('ค่าประกอบ', 'attribute'),
  state: w('สถานะ', 'state'),
  above: w('มากกว่า', 'above'),
  below: w('น้อยกว่า', 'below'),
  value_template: w('สูตร', 'template'),
  at: w('เวลา', 'time of day'),
  hours: w('ชั่วโมง', 'hours'),
  minutes: w('นาที', 'minutes'),
  seconds: w('วินาที', 'seconds'),
  offset: w('เลื่อนเวลา', 'offset'),
  zone: w('สถานที่', 'place'),
  topic: w('หัวข้อ MQTT', 'MQTT topic'),
  payload: w('ข้อความ', 'payload'),
  webhook_id: w('ชื่อ webhook', 'name of the webhook'),
  allowed_methods: w('วิธีเรียกที่รับ', 'methods that are taken'),
  local_only: w('เฉพาะเครือข่ายภายใน', 'only from the local network'),
  tag_id: w('ป้ายหรือตู้แดง', 'tag or red box'),
  after: w('หลังเวลา', 'after'),
  before: w('ก่อนเวลา', 'before'),
  weekday: w('วัน', 'days of the week'),
  match: w('ทุกตัวหรือบางตัว', 'all or any'),
  enabled: w('ใช้ส่วนนี้หรือไม่', 'is this part used'),
  delay: w('รอ', 'wait'),
  wait_template: w('รอจนสูตรเป็นจริง', 'wait until the template is true'),
  wait_for_trigger: w('รอตัวกระตุ้น', 'wait for a trigger'),
  timeout: w('รอไม่เกิน', 'at most'),
  continue_on_timeout: w('หมดเวลาแล้วทำต่อ', 'go on after the time'),
  continue_on_error: w('ผิดพลาดแล้วทำต่อ', 'go on after a failure'),
  response_variable: w('เก็บผลไว้ในตัวแปร', 'keep the answer in'),
  choose: w('เลือกทาง', 'choose'),
  default: w('ถ้าไม่เข้าทางใด', 'otherwise'),
  sequence: w('ทำตามลำดับ', 'in order'),
  if: w('ถ้า', 'if'),
  then: w('แล้วทำ', 'then'),
  else: w('ไม่เช่นนั้น', 'else'),
  repeat: w('ทำซ้ำ', 'repeat'),
  count: w('กี่ครั้ง', 'how often'),
  while: w('ขณะที่', 'while'),
  until: w('จนกว่า', 'until'),
  for_each: w('สำหรับแต่ละ', 'for each'),
  parallel: w('ทำพร้อมกัน', 'at the same time'),
  stop: w('หยุด', 'stop'),
  scene: w('ฉาก', 'scene'),
  escalate: w('แจ้งขึ้นไปเป็นขั้น', 'escalate'),
  path: w('แม่แบบไหน', 'which blueprint'),
  input: w('ช่องที่ต้องเติม', 'its blanks'),
};

const TOP = ['id', 'alias', 'description', 'triggers', 'conditions', 'actions', 'mode', 'max', 'variables', 'trigger_variables', 'use_blueprint', 'initial_state', 'on_restart'];
const TRIGGER = ['trigger', 'id', 'alias', 'variables', 'enabled'];
const CONDITION = ['condition', 'alias', 'enabled'];

export const TRIGGER_KEYS: Record<string, string[]> = {
  event: ['event_type', 'event_data'],
  state: ['entity_id', 'from', 'to', 'not_from', 'not_to', 'attribute', 'for'],
  numeric_state: ['entity_id', 'above', 'below', 'attribute', 'value_template', 'for'],
  template: ['value_template', 'for'],
  time: ['at', 'weekday'],
  time_pattern: ['hours', 'minutes', 'seconds'],
  sun: ['event', 'offset'],
  zone: ['entity_id', 'zone', 'event'],
  homeassistant: ['event'],
  mqtt: ['topic', 'payload', 'value_template'],
  webhook: ['webhook_id', 'allowed_methods', 'local_only'],
  tag: ['tag_id'],
};

export const CONDITION_KEYS: Record<string, string[]> = {
  state: ['entity_id', 'state', 'attribute', 'for', 'match'],
  numeric_state: ['entity_id', 'above', 'below', 'attribute', 'value_template'],
  template: ['value_template'],
  time: ['after', 'before', 'weekday'],
  sun: ['after', 'before'],
  zone: ['entity_id', 'zone'],
  trigger: ['id'],
  and: ['conditions'],
  or: ['conditions'],
  not: ['conditions'],
};

/** What may stand beside the key that names the step. */
export const STEP_KEYS: Record<string, string[]> = {
  action: ['target', 'data', 'response_variable', 'continue_on_error', 'alias', 'enabled'],
  delay: [],
  choose: ['default'],
  if: ['then', 'else'],
  repeat: [],
  parallel: [],
  wait_template: ['timeout', 'continue_on_timeout'],
  wait_for_trigger: ['timeout', 'continue_on_timeout'],
  variables: [],
  event: ['event_data'],
  stop: [],
  scene: [],
  escalate: [],
  condition: [],
  sequence: [],
};

const INSIDE: Record<string, string[]> = {
  choose: ['conditions', 'sequence', 'alias'],
  repeat: ['count', 'while', 'until', 'for_each', 'sequence'],
  target: ['entity_id', 'area_id'],
  use_blueprint: ['path', 'input'],
  for: ['hours', 'minutes', 'seconds'],
  delay: ['hours', 'minutes', 'seconds'],
  timeout: ['hours', 'minutes', 'seconds'],
};

export const VALUES: Record<string, string[]> = {
  mode: ['single', 'restart', 'queued', 'parallel'],
  enabled: ['true', 'false'],
  initial_state: ['true', 'false'],
  continue_on_error: ['true', 'false'],
  continue_on_timeout: ['true', 'false'],
  match: ['all', 'any'],
  weekday: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  on_restart: ['resume', 'expire'],
};

export type Part = 'top' | 'trigger' | 'condition' | 'step';

const PARTS: Record<string, Part> = {
  '': 'top', automation: 'top', trigger: 'trigger', triggers: 'trigger', wait_for_trigger: 'trigger',
  condition: 'condition', conditions: 'condition', if: 'condition', while: 'condition', until: 'condition',
  and: 'condition', or: 'condition', not: 'condition',
  action: 'step', actions: 'step', sequence: 'step', then: 'step', else: 'step', default: 'step', parallel: 'step',
};

/** What kind of part stands under a key. */
export function partOf(key: string): Part | null {
  return PARTS[key] ?? null;
}

/** The keys that may be added to what stands there. */
export function keysAt(key: string, there: Record<string, string>): string[] {
  const free = (names: readonly string[]): string[] => names.filter((name) => !Object.hasOwn(there, name));
  if (INSIDE[key] && partOf(key) === null) return free(INSIDE[key]);
  switch (partOf(key)) {
    case 'top':
      return free(TOP);
    case 'trigger':
      return free([...TRIGGER, ...(TRIGGER_KEYS[there['trigger'] ?? there['platform'] ?? ''] ?? [])]);
    case 'condition':
      return free([...CONDITION, ...(CONDITION_KEYS[there['condition'] ?? ''] ?? [])]);
    case 'step': {
      const named = Object.keys(STEP_KEYS).find((name) => Object.hasOwn(there, name));
      return free(named ? [...STEP_KEYS[named]!, ...(named === 'condition' ? (CONDITION_KEYS[there['condition']!] ?? []) : [])] : [...Object.keys(STEP_KEYS), 'alias', 'enabled']);
    }
    default:
      return [];
  }
}
