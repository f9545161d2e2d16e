import { kw } from 'wat-vm'

export type Size = '80 B' | '1 KB' | '100 KB'

/** How many records beside the request itself make up each size. */
const RECORDS: Record<Size, number> = { '80 B': 0, '1 KB': 11, '100 KB': 1180 }

/** What is asked of everybody: in EDN with keywords, for those who have none with strings instead. */
export function bodyOf(size: Size, keyword: (name: string) => unknown = kw): unknown {
  const request = {
    op: keyword('resize'),
    id: 1042,
    path: '/img/cat-0042.png',
    size: [640, 480, [2]],
    fit: keyword('cover'),
  }
  if (size === '80 B') return request
  const items = Array.from({ length: RECORDS[size] }, (_, index) => ({
    id: index,
    name: `the name of ${index}`,
    tags: [keyword('red'), keyword('green')],
    price: index * 1.25,
    ok: index % 3 === 0,
  }))
  return { ...request, items }
}

/** The same body for peers without keywords. */
export function plainBodyOf(size: Size): unknown {
  return bodyOf(size, name => name)
}

/** What bytes are sent by. */
export const CHUNK_BYTES = 64 * 1024
