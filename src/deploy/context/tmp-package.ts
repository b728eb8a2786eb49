/**
 * Takes away the listener of the package `tmp`, which shipit-deploy loads: on Ctrl-C it exits with code 0 before anything can be
 * tidied up. It removes its files at every exit anyway. The returned function puts the listener back.
 */
export function silenceTmp(): () => void {
  const listeners = process.listeners('SIGINT').filter(({ name }) => name === '_tmp$sigint_listener')
  for (const listener of listeners) process.off('SIGINT', listener)
  return () => {
    for (const listener of listeners) process.on('SIGINT', listener)
  }
}
