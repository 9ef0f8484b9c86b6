package awsmodel

import (
	"slices"
	"unicode/utf16"
)

// javaOrder returns the indexes of names in the order in which a Java HashMap
// with these keys, put in one after the other, lists them.
//
// AWS lists violations neither in the model's order nor by name. Both recorded
// answers with several of them (CreateOpenIDConnectProvider: clientIDList,
// thumbprintList, url; UpdateAccountPasswordPolicy: minimumPasswordLength,
// passwordReusePrevention, maxPasswordAge) stand in exactly this order.
func javaOrder(names []string) []int {
	buckets := uint32(16)
	for len(names)*4 > int(buckets)*3 { // the load factor is 3/4
		buckets *= 2
	}
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	bucket := func(i int) uint32 {
		var hash uint32
		for _, unit := range utf16.Encode([]rune(names[i])) {
			hash = 31*hash + uint32(unit)
		}
		return (hash ^ hash>>16) & (buckets - 1)
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(bucket(a)) - int(bucket(b)) })
	return order
}
