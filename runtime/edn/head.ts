import { Tagged } from './values.ts'

/** `#tag [7 …`: enough to tell whoever waits for 7. */
export interface Head {
  tag: string
  id: number
}

export function headOf(tag: unknown, id: unknown): Head | undefined {
  return typeof tag === 'string' && typeof id === 'number' ? { tag, id } : undefined
}

/** That of a form that is complete. */
export function headOfForm(form: unknown): Head | undefined {
  return form instanceof Tagged && Array.isArray(form.value) ? headOf(form.tag, form.value[0]) : undefined
}
