import { onlyForReal } from '../task.ts'

/** shipit-deploy's own `deploy:finish`, which tells other plugins that a deploy has ended. */
export const registerFinish = onlyForReal('deploy:finish')
