// Loops for ever when it is called: nothing but the end of its thread can stop it.
import { serve } from 'wat-vm'

await serve(() => {
  for (;;);
})
