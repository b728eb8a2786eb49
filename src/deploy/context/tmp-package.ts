/**
 * Takes away the listener of the package `tmp`, which shipit-deploy loads: it answers Ctrl-C with exit code 0 before anything can
 * be tidied. What it would remove, it also removes when the process exits. The function that this returns puts it back.
 */
export function silenceTmp(): () => void {
  const listeners = process.listeners('SIGINT').filter(({ name }) => name === '_tmp$sigint_listener')
  for (const listener of listeners) process.off('SIGINT', listener)
  return () => {
    for (const listener of listeners) process.on('SIGINT', listener)
  }
}
