package awsquery

import "reflect"

// OperationOf lets tests plan operations of types they find by reflection.
func OperationOf(in, out reflect.Type) (Operation, error) {
	op, err := operationOf(in, out)
	if err != nil {
		return op, err
	}
	return op, op.Check()
}
