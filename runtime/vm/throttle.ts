import { WatError } from '../error.ts'
import { reportFault } from './log.ts'

/** One who sends garbage is reported this often in full, then at every power of two. */
const FAULTS_IN_FULL = 10

/** Tells of the faults of one source, so that a flood of them is no flood of records. */
export class FaultReports {
  #count = 0

  /** `name` makes of the error what is told: most of a flood is not. */
  report(error: WatError, name: (error: WatError) => WatError = same): void {
    this.#count++
    if (this.#count <= FAULTS_IN_FULL) reportFault(name(error))
    else if (Number.isInteger(Math.log2(this.#count))) reportFault(this.#numbered(name(error)))
  }

  #numbered({ code, message, address, data, cause }: WatError): WatError {
    return new WatError(code, `${message} (fault number ${this.#count})`, {
      data,
      ...(address !== undefined && { address }),
      ...(cause !== undefined && { cause }),
    })
  }
}

function same(error: WatError): WatError {
  return error
}
