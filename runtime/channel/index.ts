export { Channel, createChannel, openChannel, type ChannelOptions } from './channel.ts'
export { ChannelReader, type ReaderOptions } from './reader.ts'
export { releaseThread } from './release.ts'
export { ChannelWriter } from './writer.ts'
