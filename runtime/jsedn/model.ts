/** What we use of jsedn 0.4.1, which comes without types. */
export interface JsednObject {
  val: any
}

export interface JsednMap {
  keys: unknown[]
  vals: unknown[]
}

export interface JsednTagged extends JsednObject {
  tag(): { dn(): string }
  obj(): unknown
}

type Class<T, A extends unknown[]> = { new (...args: A): T; readonly prototype: T }

export interface Jsedn {
  List: Class<JsednObject, [unknown[]]>
  Vector: Class<JsednObject, [unknown[]]>
  Set: Class<JsednObject, [unknown[]]>
  Map: Class<JsednMap, [unknown[]]>
  Symbol: Class<JsednObject, [string]>
  Keyword: Class<JsednObject, [string]>
  Char: Class<JsednObject, [string]>
  BigInt: Class<JsednObject, [string]>
  Tag: Class<object, [string]>
  Tagged: Class<JsednTagged, [object, unknown]>
  parse(text: string): unknown
}
