/** Text of strangers: what turns its direction ends with it, and does not turn the number beside it. */
export const Foreign = ({ children }: { readonly children: string }) => <bdi>{children}</bdi>;
