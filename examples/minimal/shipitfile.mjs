// npm i -D shipit-cli shipit-deploy shipit-murder
// npx shipit production deploy
import deploy from 'shipit-deploy'
import murder from 'shipit-murder'

export default (shipit) => {
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
