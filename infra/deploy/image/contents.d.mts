export declare const COMMANDS: Readonly<Record<string, string>>;
export declare const WORKSPACES: readonly string[];
export declare const CONTENTS: readonly string[];
