import { onlyForReal } from '../task.ts'

/** Shipit-deploy's own, which tells other plugins that a deploy has ended. */
export const registerFinish = onlyForReal('deploy:finish')
