import { serve } from 'wat-vm'

await serve(body => body)
