import { environment } from '../vm/identity.ts'
import type { Settings } from './options.ts'

/** Its environment, with what its bootstrap takes over: who it is. That nobody else may say. */
export function environmentOf(settings: Settings, name: string, address: string): NodeJS.ProcessEnv {
  const { stopGraceMs, maxFrame, protocol, given } = settings
  const env: NodeJS.ProcessEnv = { ...process.env, ...settings.env }
  for (const variable of Object.values(environment)) delete env[variable]
  return {
    ...env,
    [environment.address]: address,
    [environment.name]: name,
    [environment.stopGrace]: String(Math.max(1, Math.round(stopGraceMs))),
    [environment.maxFrame]: String(maxFrame),
    [environment.protocol]: String(protocol),
    ...(given && { [environment.given]: '1' }),
  }
}
