/** Every numbered finding and every rule of conduct of section 7 of the specification has a test that bears its number. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const FINDINGS = [...Array.from({ length: 37 }, (_, index) => String(index + 1)), '5a']
const RULES = Array.from({ length: 10 }, (_, index) => String(index + 1))

const titles = readdirSync(import.meta.dirname).filter(name => name.endsWith('.test.ts'))
  .flatMap(name => Array.from(readFileSync(new URL(name, import.meta.url), 'utf8').matchAll(/^ *t\.test\((['`])(.*?)\1,/gm), ([, , title = '']) => title))

/** `finding 7, 21, 22: …`, `findings 6 and 26: …`, `conduct 1 to 4, 6, 8: …` */
function numbersOf (word: string, text: string): string[] {
  const [, list = ''] = new RegExp(`^${word}s? ([\\d\\w, ]+?)(?:, section [\\d.]+)?:`).exec(text) ?? []
  return list.split(/, | and /).flatMap(part => {
    const [first = '', last] = part.split(' to ')
    return last === undefined ? [first] : Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => String(Number(first) + index))
  })
}

for (const [word, numbers] of [['finding', FINDINGS], ['conduct', RULES]] as const) {
  t.test(`each ${word} has a test with its number in its title`, async t => {
    const tested = new Set(titles.flatMap(title => numbersOf(word, title)))
    t.same(numbers.filter(number => !tested.has(number)), [])
    t.same([...tested].filter(number => number !== '' && !numbers.includes(number)), [], 'and no title has a number that is none')
  })
}
