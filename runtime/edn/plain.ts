/** An object literal, or one without a prototype; also from another realm. */
export function isPlain(value: object): value is Record<string, unknown> {
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === null || proto === Object.prototype || Object.getPrototypeOf(proto) === null
}

/** An error of whatever class, also from another realm, or without its prototype. */
export function isError(value: object): value is Error {
  return value instanceof Error || isNativeError(value)
}

/** `Error.isError` is younger than the oldest Node that is supported. */
const isNativeError: (value: unknown) => boolean =
  (Error as { isError?: (value: unknown) => boolean }).isError ??
  (value => process.getBuiltinModule('node:util').types.isNativeError(value))
