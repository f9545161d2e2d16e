// What each part of the tree answers, and what each of the ten processes says about itself.
import { self } from 'wat-vm'
import { pgidOf } from '../shared/proc.ts'

export interface Part {
  sum: number
  processes: { address: string; pid: number; pgid: number; parent: number }[]
}

export function about() {
  return { address: self.address, pid: process.pid, pgid: pgidOf(process.pid), parent: process.ppid }
}

export function total(parts: Part[]): number {
  return parts.reduce((sum, part) => sum + part.sum, 0)
}
