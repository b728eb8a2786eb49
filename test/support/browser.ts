import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'

/** Undefined where no Chromium is installed. */
export const chromiumFile = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path))

/** A browser for the tests of one group: started before them, closed after them. */
export function openBrowser() {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumFile ?? '', args: ['--no-sandbox'] })
  })
  afterAll(() => browser.close())
  return {
    browser: () => browser,
    /** A page, and what it complained of, or asked others for than `url`. */
    async open(url: string, width = 1400) {
      const page = await browser.newPage({ viewport: { width, height: 900 } })
      const faults: string[] = []
      page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
      page.on('pageerror', (error) => faults.push(error.message))
      page.on('request', (asked) => {
        if (!asked.url().startsWith(url) && !asked.url().startsWith('data:')) faults.push(asked.url())
      })
      await page.goto(url)
      return { page, faults }
    },
  }
}

/** What keeps people from using the page, by axe-core's rules. */
export async function seriousFaults(page: Page): Promise<{ id: string; impact: string }[]> {
  await page.evaluate(axe.source)
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; impact: string }[] }
  return found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
}
