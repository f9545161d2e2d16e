/** How request 5 is answered, and what else is told of it. */
const refused = { answer: ':wat/malformed', fault: 'malformed' }
const denied = { answer: ':wat/denied', fault: undefined }
const fault = { answer: undefined, fault: 'malformed' }
const ignored = { answer: undefined, fault: undefined }
const served = (who: 'open' | 'main') => ({ answer: who, fault: undefined })

const numbers = [
  '-1',
  '0',
  '1.5',
  '"1"',
  '##Inf',
  '##-Inf',
  '##NaN',
  '1N',
  '1.0M',
  '[1]',
  '{}',
  'true',
  '1/2',
]

/** Frames of somebody who means harm, by what is wrong with them. The reference that he was given has number 1. */
export const hostile: Record<
  string,
  Record<string, { answer: string | undefined; fault: string | undefined }>
> = {
  'a number that was not given': Object.fromEntries(
    ['2', '3', '4294967297', '9007199254740991'].map(n => [`#wat/call [5 {:to ${n}} x]`, denied]),
  ),
  'a number that is none': Object.fromEntries(
    [...numbers, '9007199254740992', '9007199254740993', '1e300', ':a', 'x', '#{1}', '\\1', '(1)'].map(n => [
      `#wat/call [5 {:to ${n}} x]`,
      refused,
    ]),
  ),
  'a head that is none': {
    ...Object.fromEntries(
      ['nil', '[]', '"x"', '5', '{"to" 1}', '{1 2}', '#{}', '#x {}', '()'].map(head => [
        `#wat/call [5 ${head} x]`,
        refused,
      ]),
    ),
    '#wat/call [5 {:to 1 :to 2} x]': refused,
    '#wat/call [5]': refused,
    '#wat/call [5 {:to 1}]': refused,
    '#wat/call [5 {:to 1} x y]': refused,
    '#wat/call 5': fault,
    '#wat/call {}': fault,
    '#wat/call nil': fault,
    '#wat/call []': fault,
    '#wat/call [nil {:to 1} x]': fault,
    '#wat/call [-5 {:to 1} x]': fault,
    '#wat/call [5.5 {:to 1} x]': fault,
    '#wat/call [5N {:to 1} x]': fault,
    '#wat/call [{} 5 x]': fault,
    '#wat/ret [5]': fault,
    '#wat/ret [5 {} 1]': fault,
    '#wat/ret [1 nil 1]': fault,
    '#wat/given [1 {} {}]': fault,
    '#wat/given [1 {:refs [[7 {}]]} {:a #wat/ref 0}]': fault,
    '#wat/given {}': fault,
  },
  'a reference that its frame does not name': {
    ...Object.fromEntries(
      ['1', '-1', '0.5', '"0"', 'nil', '[0]', '##NaN', '0N', '4294967296', ':a', '#wat/ref 0', '{}'].map(
        n => [`#wat/call [5 {:refs [[7 {}]]} #wat/ref ${n}]`, refused],
      ),
    ),
    '#wat/call [5 {} #wat/ref 0]': refused,
    '#wat/call [5 {:refs nil} [#wat/ref 0]]': refused,
    '#wat/call [5 {:refs []} {:a #wat/ref 0}]': refused,
    '#wat/call [5 nil #wat/ref 0]': refused,
    '#wat/call [5 {:refs [[7 {}]]} #wat/ref 0 #wat/ref 1]': refused,
    '#wat/call [5 {:refs [[7 {}]]} #{#wat/ref 0 #wat/ref 0}]': refused,
    '#wat/call [5 {:refs [[7 {}]]} {#wat/ref 0 1 #wat/ref 0 2}]': refused,
    '#wat/call [5 {:refs [[7 {}]]} {:a #wat/ref 0 :a 1}]': refused,
    '#wat/call [5 {:refs [[7 {}]]} [#wat/ref 0 }]': refused,
  },
  'a reference where none can stand': {
    '#wat/ref 0': fault,
    '[1 #wat/ref 0]': fault,
    '{:refs [[7 {}]] :body #wat/ref 0}': fault,
    '[#wat/call [5 {:refs [[7 {}]]} #wat/ref 0]]': fault,
    '#my/tag #wat/call [5 {:refs [[7 {}]]} #wat/ref 0]': fault,
    '#wat/call #wat/ref 0': fault,
    '#wat/call [#wat/ref 0 {:refs [[7 {}]]} x]': fault,
    '#wat/call [5 #wat/ref 0 x]': refused,
    '#wat/call [5 {:refs [#wat/ref 0]} x]': refused,
    '#wat/call [5 {:refs [[7 {:x #wat/ref 0}]]} x]': refused,
    '#wat/call [5 {:refs [[7 {}]] :meta {:x #wat/ref 0}} x]': refused,
    '#wat/call [5 {:to #wat/ref 0 :refs [[7 {}]]} x]': refused,
    '#wat/req [5 #wat/ref 0]': refused,
    '#wat/req [5 {:refs [[7 {}]]} #wat/ref 0]': refused,
    '#wat/rep [1 #wat/ref 0]': fault,
    '#wat/err [1 #wat/ref 0]': fault,
    '#wat/cancel [#wat/ref 0]': fault,
    '#wat/begun [#wat/ref 0]': fault,
    '#wat/release [#wat/ref 0 1]': fault,
    '#wat/gone [1 #wat/ref 0]': fault,
    '#wat/stop #wat/ref 0': fault,
  },
  'mentions that are none': Object.fromEntries(
    ['5', '{}', '"x"', '[0]', '[nil]', '[1.5]', '[##Inf]', '[[7]]', '[[0 {}]]', '[[-1 {}]]', '[[1.5 {}]]']
      .concat(
        [
          '[[7 5]]',
          '[[7 nil]]',
          '[[7 {} 3]]',
          '[[7 {"a" 1}]]',
          '[[[7 {}]]]',
          '[9007199254740993]',
          '[[7N {}]]',
        ],
        ['[[7 {}] 0]', '[:a]', '[(7 {})  x]'],
      )
      .map(refs => [`#wat/call [5 {:to 1 :refs ${refs}} x]`, refused]),
  ),
  'mentions of many kinds': {
    '#wat/call [5 {:to 1 :refs [[7 {}] [7 {:address "/y"}] 7 [7 {}]]} [#wat/ref 0 #wat/ref 3 #wat/ref 1]]':
      served('open'),
    '#wat/call [5 {:to 1 :refs [[7 {}] [8 {}]]} nil]': served('open'),
    '#wat/call [5 {:to 1 :refs [[7 {:address 5 :zzz [1 {:a 2}]}]]} #wat/ref 0]': served('open'),
    '#wat/call [5 {:to 1 :refs [-1 -1]} [#wat/ref 0 #wat/ref 1]]': served('open'),
    '#wat/call [5 {:to 1 :refs [-2 -9007199254740991]} [#wat/ref 0 #wat/ref 1]]': served('open'),
    '#wat/call [5 {:to 1 :refs [[9007199254740991 {}]]} #my/tag [#wat/ref 0]]': served('open'),
    '#wat/call [5 {:to 1 :refs [[7 {}]]} {#wat/ref 0 #{#wat/ref 0}}]': served('open'),
    '#wat/call [5 {:to 1 :refs [[7 {}]]} [#_ #wat/ref 0 1]]': served('open'),
    '#wat/call (5 {:to 1} x)': served('open'),
  },
  'more than is known': {
    '#wat/call [5 {:zzz 1 :to 1 :later {:a [1]}} x]': served('open'),
    '#wat/call [5 {:to nil :refs nil :meta nil :timeout-ms nil} x]': served('main'),
    '#wat/call [5 {} x]': served('main'),
    '#wat/call [5 {:to 1 :a/b 1 :refs []} x]': served('open'),
  },
  'a time that is none': {
    ...Object.fromEntries(
      ['-1', '0', '1e300', '##Inf', '##-Inf', '0.5', '-1e300', '2147483648'].map(ms => [
        `#wat/call [5 {:to 1 :timeout-ms ${ms}} x]`,
        served('open'),
      ]),
    ),
    ...Object.fromEntries(
      ['##NaN', '"5"', '5N', '[]', ':a'].map(ms => [`#wat/call [5 {:to 1 :timeout-ms ${ms}} x]`, refused]),
    ),
    ...Object.fromEntries(
      ['5', '[]', '"x"', '{"a" 1}', '{1 2}', '#{}'].map(meta => [
        `#wat/call [5 {:to 1 :meta ${meta}} x]`,
        refused,
      ]),
    ),
    [`#wat/call [5 {:to 1 :meta {:a ${'['.repeat(500)}${']'.repeat(500)}}} x]`]: served('open'),
    '#wat/call [5 {:to 1 :meta {:__proto__ {:a 1} :constructor 5}} x]': served('open'),
  },
  'a release of what is none': {
    ...Object.fromEntries(
      ['[1]', '[1 0]', '[1 -1]', '[1.5 1]', '[0 1]', 'nil', '{}', '[1 1 2]', '["1" 1]', '[1 ##Inf]', '5'].map(
        pairs => [`#wat/release ${pairs}`, fault],
      ),
    ),
    '#wat/release []': ignored,
    '#wat/release [2 1 3 9007199254740991]': ignored,
  },
  'the end of what is none': {
    '#wat/gone [99 {:type :wat/denied :message "x"}]': ignored,
    '#wat/gone [1 nil]': ignored,
    '#wat/gone [7 5]': ignored,
    '#wat/gone [7]': fault,
    '#wat/gone [0 {}]': fault,
    '#wat/gone [-1 {}]': fault,
    '#wat/gone {}': fault,
  },
}
