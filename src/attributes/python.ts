import { spawn } from 'node:child_process'
import { isSystemError } from '../errors.ts'

/** Attributes that only Python can set. Without `xattrs` those of the entry stay as they are. */
export interface ExactAttributes {
  path: string
  mtime: bigint
  xattrs?: Record<string, string>
}

/** An operation that the system refused, and why. */
export interface Refusal {
  path: string
  what: string
  why: string
}

/**
 * Node can neither read nor set extended attributes, which include ACLs, and sets times only to the microsecond. Python, which
 * nearly every server has, does both, in one process for a whole tree. Attributes that belong to the machine and not to the
 * file (SELinux labels, overlay marks) are left out.
 */
const PROGRAM = `
import base64, json, os, stat, sys
order = json.load(sys.stdin)
os.chdir(order["root"])
root = os.geteuid() == 0
def kept(name):
    if name.startswith("user.") or name.startswith("system.posix_acl_"): return True
    return root and (name == "security.capability" or name.startswith("trusted.") and not name.startswith("trusted.overlay."))
def attributes(path):
    try: names = os.listxattr(path, follow_symlinks=False)
    except OSError: return {}
    found = {}
    for name in filter(kept, names):
        try: found[name] = base64.b64encode(os.getxattr(path, name, follow_symlinks=False)).decode()
        except OSError: pass # it is gone by now, or this user may not read it
    return found
def attempt(path, what, work, *args, **options):
    try: work(path, *args, follow_symlinks=False, **options)
    except OSError as error: refused.append({"path": os.fsdecode(path), "what": what, "why": error.strerror})
def set_all(path, wanted):
    now = attributes(path)
    for name in now:
        if name not in wanted: attempt(path, name, os.removexattr, name)
    # ACLs last: they change the mode, and other attributes need the right to write.
    for name, value in sorted(wanted.items(), key=lambda item: item[0].startswith("system.")):
        if now.get(name) != value and kept(name): attempt(path, name, os.setxattr, name, base64.b64decode(value))
def copy(source, path):
    wanted = attributes(source)
    if wanted == attributes(path): return
    mode = os.lstat(path).st_mode
    closed = not root and stat.S_IFMT(mode) in (stat.S_IFREG, stat.S_IFDIR) and not mode & stat.S_IWUSR
    if closed: os.chmod(path, stat.S_IMODE(mode) | stat.S_IWUSR)
    set_all(path, wanted)
    if closed: os.chmod(path, stat.S_IMODE(mode))
refused = []
if "read" in order:
    found = ((path, attributes(path)) for path in order["read"])
    json.dump({path: values for path, values in found if values}, sys.stdout)
elif "copy" in order:
    source = os.fsencode(order["from"])
    for path in order["copy"]:
        path = path.encode("latin1")
        try: copy(os.path.join(source, path), path)
        except OSError: pass # it is gone by now
    json.dump(refused, sys.stdout)
else:
    for path, mtime, wanted in order["write"]:
        if wanted is not None: set_all(path, wanted)
        attempt(path, "time", os.utime, ns=(int(mtime), int(mtime)))
    json.dump(refused, sys.stdout)
`

/** Extended attributes by path, where a path has any; undefined where there is no Python. */
export async function readXattrs(
  root: string,
  paths: string[],
): Promise<Record<string, Record<string, string>> | undefined> {
  return (await run({ root, read: paths })) as Record<string, Record<string, string>> | undefined
}

/** Sets extended attributes and exact times, in this order; undefined where there is no Python. */
export async function writeExactly(root: string, wanted: ExactAttributes[]): Promise<Refusal[] | undefined> {
  const write = wanted.map(({ path, mtime, xattrs }) => [path, String(mtime), xattrs ?? null])
  return (await run({ root, write })) as Refusal[] | undefined
}

/**
 * Gives copies the extended attributes of the originals. The paths have a character for each byte. Undefined where there is no
 * Python.
 */
export async function copyXattrs(
  from: string,
  root: string,
  copy: readonly string[],
): Promise<Refusal[] | undefined> {
  return (await run({ from, root, copy })) as Refusal[] | undefined
}

function run(order: object): Promise<unknown> {
  const child = spawn('python3', ['-I', '-S', '-X', 'utf8', '-c', PROGRAM], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  child.stdin.on('error', () => {}) // The exit code says what went wrong.
  child.stdin.end(JSON.stringify(order))
  return new Promise((resolve, reject) => {
    child.once('error', (error) => (isSystemError(error, 'ENOENT') ? resolve(undefined) : reject(error)))
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(stdout))
      else reject(new Error(`python3 ended with ${code}: ${stderr.trim().split('\n').at(-1)}`))
    })
  })
}
