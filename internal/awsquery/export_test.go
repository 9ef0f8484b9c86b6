package awsquery

// OperationOf lets tests plan operations of types they find by reflection.
var OperationOf = operationOf
