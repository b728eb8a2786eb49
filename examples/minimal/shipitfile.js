// npm i -D shipit-cli shipit-deploy shipit-murder
// npx shipit production deploy
module.exports = (shipit) => {
  require('shipit-deploy')(shipit)
  require('shipit-murder')(shipit)
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
