package file

const incomingEnd = ".part"
