// What one identity may do in an Azure ML registry by which models go from workspace to workspace. Deployed into the registry's own
// group, which may be another than Upkeep's. There is no built-in role that reads without writing.

import { roles } from 'roles.bicep'

param registryName string
param principalId string

@description('What the identity does there, in words.')
param purpose string

resource registry 'Microsoft.MachineLearningServices/registries@2025-09-01' existing = {
  name: registryName
}

// azureml_registry.py (look versions up, read their files, import, tag) for the app; fetching a model for an endpoint's deployments.
resource user 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, principalId, 'AzureML Registry User')
  properties: {
    description: purpose
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['AzureML Registry User'])
  }
}
