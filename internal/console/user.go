package console

const userPath = "/console/user"
