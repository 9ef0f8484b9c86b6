package awsmodel

// This file holds answers of AWS that its model does not contain.

const (
	nameText = "The specified value for %s is invalid. It must contain only alphanumeric characters and/or the " +
		"following: +=,.@_-"
	pathText = "The specified value for %s is invalid. It must begin and end with / and contain only alphanumeric " +
		"characters and/or / characters."
	prefixText = "The specified value for %s is invalid. It must begin with the / character and contain only " +
		"alphanumeric characters and/or / characters."
	markerText = "The specified value for %s is invalid. It must contain only printable ASCII characters."
)

// ownTexts maps shapes of IAM to the sentence that AWS uses instead of naming
// the pattern. AWS checks these patterns after everything else: a path that is
// too long and also malformed only gets an answer about its length.
var ownTexts = map[string]string{
	"entityNameType":            nameText,
	"existingUserNameType":      nameText,
	"groupNameType":             nameText,
	"instanceProfileNameType":   nameText,
	"policyNameType":            nameText,
	"roleNameType":              nameText,
	"serverCertificateNameType": nameText,
	"userNameType":              nameText,
	"virtualMFADeviceName":      nameText,
	"pathType":                  pathText,
	"policyPathType":            pathText,
	"pathPrefixType":            prefixText,
	"markerType":                markerText,
}

// ownMinimums lists shapes with their own sentence that also get it for an
// empty value, instead of the minimum length. Recorded.
var ownMinimums = map[string]bool{"markerType": true}

// ownPatterns maps shapes of IAM to the patterns that AWS uses instead of its
// model's. Recorded for PolicyInputList of GetContextKeysForCustomPolicy, whose
// shape is that of all policy documents.
var ownPatterns = map[string]string{"policyDocumentType": `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]+`}

// noNullElements lists the lists whose answers also name the rule that an
// element must not be null. AWS does so for tag keys and namespaces of
// services, and not for client ids or thumbprints. No other list is recorded.
var noNullElements = map[string]bool{"tagKeyListType": true, "serviceNamespaceListType": true}

// unnamedValues lists enumerations whose values AWS's answers do not name. It
// is recorded for UpdateServiceSpecificCredential. That UpdateAccessKey and the
// others with this type are the same is a guess (G).
var unnamedValues = map[string]bool{"statusType": true}

// alsoSensitive lists shapes that grant access and that the model does not
// mark: one-time codes, and the token that makes temporary keys usable.
var alsoSensitive = map[string]bool{
	"authenticationCodeType": true,
	"tokenCodeType":          true,
	"tokenType":              true,
}

// anyCharacter is the pattern for strings without one: the characters that XML
// 1.0 allows, because an answer must be able to contain stored texts. AWS's own
// rule for such members is not published. Its STS model has this set for ARNs
// (G).
const anyCharacter = `[\u0009\u000A\u000D\u0020-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]*`

// generalStatuses maps codes that any action may answer and that no model
// lists. Source: the pages "Common errors" of IAM and STS, and recorded
// answers.
var generalStatuses = map[string]int{
	"AccessDenied":                403,
	"AccessDeniedException":       403,
	"ClientDisconnected":          499, // ours: only in the trail and the metrics
	"ExpiredToken":                403,
	"IncompleteSignature":         400,
	"InternalFailure":             500,
	"InvalidAction":               400,
	"InvalidClientTokenId":        403,
	"InvalidParameterCombination": 400,
	"InvalidParameterValue":       400,
	"InvalidQueryParameter":       400,
	"MalformedInput":              400,
	"MalformedQueryString":        400,
	"MissingAction":               400,
	"MissingAuthenticationToken":  403,
	"MissingParameter":            400,
	"NotAuthorized":               400,
	"OptInRequired":               403,
	"RequestEntityTooLarge":       413,
	"RequestExpired":              400,
	"RequestTimeout":              408, // S3's code; no recording of IAM (G)
	"ServiceFailure":              500,
	"ServiceUnavailable":          503,
	"SignatureDoesNotMatch":       403,
	"Throttling":                  400,
	"ValidationError":             400,

	// The JSON protocol of Organizations.
	"SerializationException":    400,
	"UnknownOperationException": 400,
}
