import { explain } from '../../errors.ts'
import type { PageServer } from '../../page/serve/page-server.ts'
import type { Context } from './context.ts'

/** Serves the page of this run where the settings want it, and says where. If that fails, the run goes on. */
export async function startPage({
  settings,
  picture,
  shipit,
  log,
}: Pick<Context, 'log' | 'picture' | 'settings' | 'shipit'>): Promise<PageServer | undefined> {
  const { serve, port } = settings.page
  if (!(serve ?? port !== undefined)) return undefined
  try {
    const { PageServer } = await import('../../page/serve/page-server.ts')
    const page = await PageServer.start(picture, port)
    log.hide(page.token) // The log outlives the run, and its readers may not be allowed to watch.
    shipit.log(`Page of this run: ${page.url}`)
    return page
  } catch (error) {
    const why = explain(error)
    shipit.log(
      port === undefined
        ? `The page could not be served: ${why}`
        : `The page could not be served at port ${port} (page.port): ${why}`,
    )
    return undefined
  }
}
