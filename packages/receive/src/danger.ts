/**
 * Names that do something by being there: a file that a shell, a login, a desktop or a tool runs or trusts unasked. They
 * are no less safe to write than others, which is why they need somebody's consent. Pure.
 *
 * @module
 */

/**
 * What `name` would be taken for below `root`, as a pattern of the list; `undefined` when it is a file like any other. The
 * folders that the root lies in count: `autostart/x.desktop` is one in `/home/me/.config`, and none in `/srv/inbox`.
 */
export function dangerOf (root: string, name: string): string | undefined {
  const components = [...componentsOf(root), ...partsOf(name)]
  const own = components.length - name.split('/').length
  for (let at = Math.max(0, own - MOST_PARTS + 1); at < components.length; at++) {
    const pattern = found(BEGINNINGS.get(components[at] as string), components, at, own) ?? found(WILD, components, at, own)
    if (pattern !== undefined) return pattern
  }
  return undefined
}

/** What a file behind a link of this name could be taken for: whoever names it by its own name is not seen to. */
export function dangerBehind (root: string, name: string): string | undefined {
  const components = [...componentsOf(root), ...partsOf(name)]
  for (const [pattern, parts] of PATTERNS) {
    for (let most = Math.min(parts.length - 1, components.length); most > 0; most--) {
      if (parts.slice(0, most).every((part, index) => matches(part, components[components.length - most + index]))) return pattern
    }
  }
  return undefined
}

/** The first pattern that the components from `at` on have. The peer has chosen those from `own` on: at least the last one that the pattern fixes must be such. */
function found (patterns: typeof WILD | undefined, components: readonly string[], at: number, own: number): string | undefined {
  if (patterns === undefined) return undefined
  for (const [pattern, parts] of patterns) {
    if (at + parts.length > own && parts.every((part, index) => matches(part, components[at + index]))) return pattern
  }
  return undefined
}

function partsOf (path: string): string[] {
  return path.split(/[/\\]/).filter(component => component !== '').map(fold)
}

/** Of a root, which is the same for many names. */
function componentsOf (root: string): readonly string[] {
  if (last?.root !== root) last = { root, components: partsOf(root) }
  return last.components
}

let last: { readonly root: string, readonly components: readonly string[] } | undefined

function fold (component: string): string {
  return (ASCII.test(component) ? component : component.normalize('NFKC')).toLowerCase()
}

function matches (part: string, component: string | undefined): boolean {
  if (component === undefined) return false
  return part.startsWith('*') ? component.endsWith(part.slice(1)) : part.endsWith('*') ? component.startsWith(part.slice(0, -1)) : part === component
}

/** Its own normal form. */
const ASCII = /^[\0-\x7f]*$/

/** What is below a folder of the list counts as well. */
const PATTERNS: ReadonlyArray<readonly [string, readonly string[]]> = [
  // Who may log in, and with what.
  '.ssh', '.gnupg', 'authorized_keys*', '.rhosts', '.shosts', '.netrc', '.k5login', '.pgpass', '.my.cnf', '.aws', '.kube', '.docker', '.password-store',
  // What a shell or a session runs.
  '.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.profile', '.zshrc', '.zshenv', '.zprofile', '.zlogin', '.zlogout', '.kshrc', '.mkshrc',
  '.cshrc', '.tcshrc', '.login', '.logout', '.inputrc', '.xinitrc', '.xsession', '.xsessionrc', '.xprofile', '.pam_environment', '.envrc', '.config/fish',
  '.config/environment.d', '.config/nushell', 'microsoft.powershell_profile.ps1', 'profile.ps1',
  // What a desktop or an init runs.
  '.config/autostart', '.config/systemd', '.local/share/systemd', '.local/share/applications', '.local/share/dbus-1', '.config/plasma-workspace', '.config/upstart',
  'library/launchagents', 'library/launchdaemons', 'start menu/programs/startup', 'autorun.inf', 'crontab', 'cron.d',
  // What tools run or obey in the folder where they are called.
  '.git/hooks', '.git/config', '.gitconfig', '.config/git', '.hg/hgrc', '.hgrc', '.npmrc', '.yarnrc*', '.pypirc', '.config/pip', '.cargo', '.vimrc', '.exrc', '.gvimrc', '.config/nvim',
  '.emacs', '.emacs.d', '.gdbinit', '.lldbinit', '.pythonrc', '.irbrc', '.pryrc', '.gemrc', '.curlrc', '.wgetrc', '.mailcap', '.forward', '.procmailrc',
  '.screenrc', '.tmux.conf', '.local/bin', 'sitecustomize.py', 'usercustomize.py'
].map(pattern => [pattern, pattern.split('/')])

/** A thousand names are looked at in a moment: most begin none of them. */
const WILD = PATTERNS.filter(([, [first = '']]) => first.includes('*'))
const BEGINNINGS = Map.groupBy(PATTERNS.filter(pattern => !WILD.includes(pattern)), ([, [first = '']]) => first)
const MOST_PARTS = Math.max(...PATTERNS.map(([, parts]) => parts.length))
