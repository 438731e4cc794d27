import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryJSONSchemaTests {
    @Test(arguments: [
        "true", "false", "{}", #"{"type":"string"}"#, #"{"type":["string","null"]}"#,
        ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object"}}}"##, #"{"$ref":"urn:a","$defs":{"a":{"$id":"urn:a"}}}"#,
        #"{"properties":{"type":{"type":"integer"}},"required":["type"]}"#, #"{"x-own":5,"enum":[1]}"#,
        #"{"const":{"$id":"x","type":"zzz"}}"#, #"{"items":[{"type":"string"}]}"#,
        #"{"$schema":"http://json-schema.org/draft-07/schema#","exclusiveMinimum":true}"#,
    ])
    func `a schema passes`(text: String) throws {
        #expect(JSONSchemaCheck.fault(in: try JSON(parsing: text)) == nil)
    }

    @Test(arguments: [
        (#"{"type":"zzz"}"#, #""zzz" is not valid under any of the schemas listed in the 'anyOf' keyword"#),
        ("5", #"5 is not of types "boolean", "object""#),
        (#"{"properties":{"a":{"items":5}}}"#, #"5 is not of types "boolean", "object""#),
        (#"{"required":"a"}"#, #""a" is not of type "array""#),
        (#"{"minLength":-1}"#, "-1 is less than the minimum of 0"),
        (
            #"{"anyOf":[{"$ref":"http://example.com/x.json"}]}"#,
            "Resource 'http://example.com/x.json' is not present in a registry and retrieving it failed: the schema "
                + "contains an external reference http://example.com/x.json. This is not supported, all schemas "
                + "uploaded to Restate should be normalized first, bundling the external references."
        ),
    ])
    func `what is no schema is told why`(text: String, fault: String) throws {
        #expect(JSONSchemaCheck.fault(in: try JSON(parsing: text)) == fault)
    }
}
