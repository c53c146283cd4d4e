// The two user-assigned identities. They exist before what uses them, so that their roles are in force when the app starts and
// when the cluster boots, and outlive a replacement of either. Event Grid's topics and the workspace have system-assigned ones.

import { Names } from 'names.bicep'

param location string
param tags object
param names Names

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.appIdentity
  location: location
  tags: tags
}

resource compute 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.computeIdentity
  location: location
  tags: tags
}

output computeName string = compute.name
output appPrincipalId string = app.properties.principalId
