import { hostile } from '../support/hostile-frames.ts'
import { describe, expect, it, told, ts } from '../support/lab.ts'

describe('a process', () => {
  const program = ts`
    import { ref, Ref, serve } from 'wat-vm'
    ${told}
    const secret = ref(() => { console.log('REACHED'); return 'reached' })
    const open = ref({ add: (a: number, b: number) => a + b })
    await serve({
      open: () => open,
      back: (r: Ref) => r === open,
      use: (r: Ref) => told(r.call(1)),
      secret: () => secret instanceof Ref,
    })`
  const hello = '#wat/hello {:protocol 2}\n'

  it('P83 P86 answers hostile frames, reaches nothing by them, and exits with what it said of them', async ({
    lab,
  }) => {
    const frames = Object.values(hostile).flatMap(kind => Object.keys(kind))
    const input = [
      `${hello}#wat/call [1 {} (open)]`,
      ...frames.filter(frame => !/:to (1|nil)\b/.test(frame) && !frame.includes('[1 ')),
      ...['stop', 'given'].map(tag => `#wat/${tag} [1 #wat/ref 0]`),
      '#wat/call [101 {:to 1} (add 1 2)]',
      '#wat/call [102 {:refs [-1]} (back #wat/ref 0)]',
      '#wat/call [103 {:refs [-2]} (use #wat/ref 0)]',
      '#wat/call [104 {:to 2} (add 1 2)]',
    ].join('\n')
    const { stdout, stderr, code } = await lab.run(lab.program(program), { input })
    expect(stderr).not.toContain('REACHED')
    expect(stderr).not.toContain('#wat/panic')
    const answer = (id: number) => stdout.split('\n').find(line => line.includes(` [${id} `))
    expect(answer(1)).toBe('#wat/ret [1 {:refs [[1 {:address "/"}]]} #wat/ref 0]')
    expect(answer(101)).toBe('#wat/rep [101 3]')
    expect(answer(102)).toBe('#wat/rep [102 true]')
    expect(answer(103)).toContain('"denied"')
    expect(answer(104)).toContain(':wat/denied')
    expect(code).toBe(65)
  })

  it('P86 is not filled by mentions, however many and of whatever', async ({ lab }) => {
    const many = (mention: string, count: number) => mention.repeat(count)
    const input = [
      `${hello}#wat/call [1 {} (open)]`,
      `#wat/call [2 {:refs [${many('-1 ', 5_000_000)}]} (open)]`,
      `#wat/call [3 {:refs [${many('-77 ', 131_072)}]} (use #wat/ref 131071)]`,
      `#wat/call [4 {:refs [${Array.from({ length: 1_000_000 }, (_, n) => `[${n + 1}{}]`).join('')}]} (open)]`,
      '#wat/call [5 {:to 1} (add 1 2)]',
    ].join('\n')
    const { stdout } = await lab.run(lab.program(program), {
      input,
      env: { NODE_OPTIONS: '--max-old-space-size=200' },
    })
    const answer = (id: number) => stdout.split('\n').find(line => line.includes(` [${id} `))
    expect([2, 4].map(id => answer(id)?.slice(0, 31))).toEqual(
      [2, 4].map(id => `#wat/err [${id} {:type :wat/malform`),
    )
    expect(answer(3)).toContain('"denied"')
    expect(answer(5)).toBe('#wat/rep [5 3]')
  })
})
