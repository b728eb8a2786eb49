/** Kills the process group of `$$` when descriptor 3 ends without a line. */
const WATCH = '{ read -r x <&3 || kill -s KILL -- "-$$"; } </dev/null >/dev/null 2>&1 &'

/**
 * The arguments of a shell that runs a command and ends with its whole process group, which it leads, when descriptor 3 is closed:
 * a command of a killed run must not go on. A line there stops the watch; a program that the command has left in the background
 * then stays. The group is watched before the command begins, because a run can be killed at any moment.
 */
export const endingWithUs = (command: string): string[] => [
  '-c',
  `${WATCH}\nexec 3<&-\nexec /bin/sh -c "$1"`,
  'sh',
  command,
]
