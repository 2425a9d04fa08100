import { SETTINGS, variableOf } from '../src/config/settings.ts'

/** The table of docs/configuration.md, as the settings are. */
export function settingsTable (): string {
  const rows = SETTINGS.map(setting => {
    const { key, kind, flag, fallback, reloads, about } = setting
    const usual = fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``
    return `| \`${key}\` | ${escape(about)} | ${escape(kind.expected)} | ${usual} | ${flag === undefined ? '' : `\`${flag}\``} | \`${variableOf(setting)}\` | ${reloads === true ? 'yes' : ''} |`
  })
  return ['| setting | says | expected | default | flag | variable | SIGHUP |', '|---|---|---|---|---|---|---|', ...rows].join('\n')
}

function escape (text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*')
}
