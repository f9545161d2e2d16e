// How much memory this process takes, in MB of the operating system.
import { self } from 'wat-vm'

export interface Memory {
  address: string
  'start-mb': number
  'peak-mb': number
  'grown-mb': number
}

const start = Math.round(process.memoryUsage.rss() / 2 ** 20)

export function memory(): Memory {
  const peak = Math.round(process.resourceUsage().maxRSS / 2 ** 10)
  return { address: self.address, 'start-mb': start, 'peak-mb': peak, 'grown-mb': peak - start }
}
