/** What the hub refuses, by the code of its error: the reader's words first, the hub's own detail beneath. */

import { part } from './part';

export const errors = part(
  {
    'error.unreachable': 'ติดต่อศูนย์กลางไม่ได้ ตรวจสายเครือข่ายแล้วลองอีกครั้ง',
    'error.timed_out': 'ศูนย์กลางไม่ตอบในเวลาที่กำหนด',
    'error.denied': 'ไม่มีสิทธิทำรายการนี้',
    'error.unauthenticated': 'ยังไม่ได้เข้าสู่ระบบ',
    'error.not_found': 'ไม่พบรายการนี้แล้ว',
    'error.limit': 'ลองหลายครั้งเกินไป รอสักครู่',
    'error.expired': 'หมดเวลาแล้ว ขอใหม่อีกครั้ง',
    'error.unavailable': 'อุปกรณ์หรือบริการไม่ตอบตอนนี้',
    'error.conflict': 'ขัดกับข้อมูลปัจจุบัน',
    'error.invalid_input': 'ข้อมูลไม่ถูกต้อง',
    'error.action_failed': 'อุปกรณ์ทำตามคำสั่งไม่ได้',
    'error.storage': 'บันทึกลงดิสก์ไม่ได้',
    'error.config': 'ไฟล์ตั้งค่าไม่ถูกต้อง',
    'error.error': 'ระบบผิดพลาด',
  },
  {
    'error.unreachable': 'The hub cannot be reached. Check the network cable and try again',
    'error.timed_out': 'The hub did not answer in time',
    'error.denied': 'You have no right to do this',
    'error.unauthenticated': 'Nobody is signed in',
    'error.not_found': 'This is no longer there',
    'error.limit': 'Too many tries. Wait a little',
    'error.expired': 'Too late. Ask again',
    'error.unavailable': 'The device or service does not answer now',
    'error.conflict': 'This contradicts what is already so',
    'error.invalid_input': 'The input is wrong',
    'error.action_failed': 'The device could not do it',
    'error.storage': 'The disk could not keep it',
    'error.config': 'The configuration is wrong',
    'error.error': 'The hub has a fault',
  },
);
