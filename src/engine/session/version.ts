/** Inserted by the build. */
export const version: string = process.env["BULWARK_VERSION"] ?? "0.0.0-dev";
