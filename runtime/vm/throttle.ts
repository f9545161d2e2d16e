import { WatError } from '../error.ts'
import { reportFault } from './log.ts'

/** One who sends garbage is reported this often in full, then at every power of two. */
const FAULTS_IN_FULL = 10

/** Tells of the faults of one source, so that a flood of them is no flood of records. */
export class FaultReports {
  #count = 0

  report(error: WatError): void {
    this.#count++
    if (this.#count <= FAULTS_IN_FULL) reportFault(error)
    else if (Number.isInteger(Math.log2(this.#count))) reportFault(this.#numbered(error))
  }

  #numbered({ code, message, address, data, cause }: WatError): WatError {
    return new WatError(code, `${message} (fault number ${this.#count})`, {
      data,
      ...(address !== undefined && { address }),
      ...(cause !== undefined && { cause }),
    })
  }
}
