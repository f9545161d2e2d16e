import { getEachMessage, sendMessage } from 'execa'

for await (const message of getEachMessage()) void sendMessage(message)
