// npm i -D shipit-cli shipit-deploy shipit-murder sucrase
// npx shipit production deploy
import deploy from 'shipit-deploy'
import murder, { type Shipit } from 'shipit-murder'

export default (shipit: Shipit): void => {
  deploy(shipit)
  murder(shipit)
  shipit.initConfig({
    default: {
      deployTo: '/srv/app',
      repositoryUrl: 'https://example.com/app.git',
      branch: 'main',
      ignores: ['.git'],
    },
    production: {
      servers: ['deploy@a.example.com', 'deploy@b.example.com', 'deploy@c.example.com:2222'],
    },
  })
}
