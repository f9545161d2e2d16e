// The fast end: it prints as fast as it is allowed to, and knows of nobody behind it.
import { println, self } from 'wat-vm'

const payload = 'x'.repeat(10_000)
for (let n = 1; n <= Number(self.args[0]); n++) await println({ n, payload })
