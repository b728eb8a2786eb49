/** Lines of sshd_config with which sessions find the Node of MURDER_TEST_NODE, when the tests run on another than the system's. */
export const nodePath = (): string[] =>
  process.env.MURDER_TEST_NODE ? [`SetEnv PATH=${process.env.PATH}`] : []
