/** Text of strangers: marks in it that turn the direction of writing turn nothing beside it. */
export const Foreign = ({ children }: { readonly children: string }) => <bdi>{children}</bdi>;
