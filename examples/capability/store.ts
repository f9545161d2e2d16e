// The service itself. Whoever has a reference to one of these can do all of this.
export class Store {
  readonly #values: Map<string, string>

  constructor(values: [string, string][]) {
    this.#values = new Map(values)
  }

  read(key: string): string | null {
    return this.#values.get(key) ?? null
  }

  write(key: string, value: string): void {
    this.#values.set(key, value)
  }

  delete(key: string): void {
    this.#values.delete(key)
  }
}
