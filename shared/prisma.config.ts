import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Only the migrate commands connect. Without DATABASE_URL they fail at once, rather than find some database of yours.
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://127.0.0.1:1/unset' },
});
