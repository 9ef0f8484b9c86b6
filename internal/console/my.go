package console

const myPath = "/console/my-credentials"
