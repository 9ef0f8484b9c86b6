package awsmodel

import (
	"slices"
	"unicode/utf16"
)

// javaOrder returns the indexes of names in the order in which a Java HashMap
// lists them after they were inserted as keys.
//
// AWS lists violations neither in the model's order nor by name. Both recorded
// answers with several of them (CreateOpenIDConnectProvider: clientIDList,
// thumbprintList, url; UpdateAccountPasswordPolicy: minimumPasswordLength,
// passwordReusePrevention, maxPasswordAge) are in exactly this order.
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
		hash := javaHash(names[i])
		return (hash ^ hash>>16) & (buckets - 1)
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(bucket(a)) - int(bucket(b)) })
	return order
}

// enumOrder returns the values of an enumeration in the order in which AWS's
// answers list them: by the hashes of the values in 32 buckets. All recorded
// lists have this order, those of IAM ([SSH, PEM], [v2Token, v1Token], those of
// Filter) and those that users of DynamoDB and Kinesis report. The order of
// more values than 32 buckets hold is a guess (G).
func enumOrder(values []string) []string {
	buckets := uint32(32)
	for len(values)*4 > int(buckets)*3 {
		buckets *= 2
	}
	bucket := func(value string) int { return int(javaHash(value) & (buckets - 1)) }
	ordered := slices.Clone(values)
	slices.SortStableFunc(ordered, func(a, b string) int { return bucket(a) - bucket(b) })
	return ordered
}

// javaHash computes Java's String.hashCode.
func javaHash(s string) (hash uint32) {
	for _, unit := range utf16.Encode([]rune(s)) {
		hash = 31*hash + uint32(unit)
	}
	return hash
}
