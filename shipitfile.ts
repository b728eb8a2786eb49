/**
 * Deploys this repository itself, to try the plugin out: `npm run fleet` in one terminal, `npx shipit production deploy` in
 * another. MURDER_SERVERS=deploy@a,deploy@b:2222 names real servers instead.
 */
import { pathToFileURL } from 'node:url'
import deploy from 'shipit-deploy'
import murder, { type Shipit } from 'shipit-murder'
import { quiet } from './examples/demo/quiet.ts'
import { type Target, target } from './examples/fleet/target.ts'
import { explain } from './src/errors.ts'

export default (shipit: Shipit): void => {
  deploy(shipit)
  murder(shipit)
  if (process.env.SHIPIT_QUIET === '1') quiet(shipit)

  const { servers, key, directory } = whereTo()
  shipit.initConfig({
    default: {
      servers,
      ...(key === undefined ? {} : { key }),
      repositoryUrl: process.env.DEPLOY_REPOSITORY || pathToFileURL(process.cwd()).href,
      branch: process.env.DEPLOY_BRANCH || 'main',
      ignores: ['.git'],
    },
    production: { deployTo: `${directory}/production` },
    staging: { deployTo: `${directory}/staging`, keepReleases: 2 },
  })
}

function whereTo(): Target {
  try {
    return target(process.env)
  } catch (error) {
    console.error(explain(error))
    process.exit(1)
  }
}
